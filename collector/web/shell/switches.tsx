import { ActionIcon, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from '../parts/icon.tsx';
import { useZone } from '../theme/zone.ts';

/** Colours and time zone. Both are kept in this browser. */
export function Switches(): ReactNode {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme();
  const [zone, setZone] = useZone();
  const otherScheme = scheme === 'dark' ? 'light' : 'dark';
  const otherZone = zone === 'utc' ? 'local' : 'utc';
  return (
    <ActionIcon.Group>
      <Tooltip label={zone === 'utc' ? 'Times are UTC: show local time' : 'Times are local: show UTC'}>
        <ActionIcon
          variant="default"
          size={31}
          w={zone === 'utc' ? 44 : 31}
          onClick={() => setZone(otherZone)}
          aria-label={`Show times in ${otherZone === 'utc' ? 'UTC' : 'local time'}`}
        >
          {zone === 'utc' ? 'UTC' : <Icon name="clock" size={16} />}
        </ActionIcon>
      </Tooltip>
      <Tooltip label={`Switch to ${otherScheme}`}>
        <ActionIcon
          variant="default"
          size={31}
          onClick={() => setColorScheme(otherScheme)}
          aria-label={`Switch to ${otherScheme} colours`}
        >
          <Icon name={scheme === 'dark' ? 'sun' : 'moon'} size={16} />
        </ActionIcon>
      </Tooltip>
    </ActionIcon.Group>
  );
}
