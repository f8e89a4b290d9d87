import type { ReactNode } from 'react';
import { Allowed } from '../../parts/allowed.tsx';
import { Page } from '../../parts/page.tsx';
import { Agents } from './agents.tsx';
import { Enrolment } from './enrolment.tsx';
import { JoinTokens } from './join-tokens.tsx';

/** How nodes come in, and whose agents are here. */
export function FleetPage(): ReactNode {
  return (
    <Page title="Fleet" lead="Nodes come in by a join token, once; from then on each agent has a key of its own.">
      <Allowed to="POST /enrollments">
        <Enrolment />
      </Allowed>
      <JoinTokens />
      <Agents />
    </Page>
  );
}
