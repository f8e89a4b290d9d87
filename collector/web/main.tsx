import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import '@mantine/spotlight/styles.css';
import './theme/tokens.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createLive } from './data/live.ts';
import { createQueryClient } from './data/queries.ts';
import { LiveContext } from './data/use-live.ts';
import { router } from './router.tsx';
import { cssVariables, theme } from './theme/theme.ts';

const client = createQueryClient();
const live = createLive(client);
live.start();

/** The collector allows styles that carry this, and no others. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
/* Where the lock on scrolling below a dialog looks for it (get-nonce). */
Object.assign(globalThis, { __webpack_nonce__: nonce });

/* Its address is relative to the page that was loaded, not to those that follow. */
for (const icon of document.querySelectorAll<HTMLLinkElement>('link[rel=icon]')) icon.setAttribute('href', icon.href);

createRoot(document.getElementById('root') ?? document.body).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={client}>
        <LiveContext value={live}>
          <Notifications position="bottom-right" />
          <RouterProvider router={router} />
        </LiveContext>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
