import { type ReactNode, useState } from 'react';
import { Allowed } from '../../parts/allowed.tsx';
import { Page } from '../../parts/page.tsx';
import { AddPerson } from './add-person.tsx';
import { PeopleTable } from './people-table.tsx';

/** Who may ask this collector, and how much. */
export function PeoplePage(): ReactNode {
  /** Counts up for a form that has forgotten the token before. */
  const [form, setForm] = useState(0);
  return (
    <Page
      title="People"
      lead="Each has a token of their own. A viewer reads; an operator also acknowledges, silences and subscribes; an admin also admits and removes nodes and people."
    >
      <Allowed to="POST /people">
        <AddPerson key={form} again={() => setForm(form + 1)} />
      </Allowed>
      <PeopleTable />
    </Page>
  );
}
