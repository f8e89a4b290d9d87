import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** `npx vite collector/web` shows the sources as they change, with the data of the collector on this machine. */
export default defineConfig({
  base: './',
  plugins: [react()],
  // From cssTarget on browsers know light-dark().
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
    reportCompressedSize: false,
    // What pages share comes in one piece with the first: a dozen small ones, asked for when a page is known, cost more time than they save.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'shared', test: isShared, minShareCount: 2 }] } } },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:4777' } },
});

/** All but the chart, which is large and on two pages. */
function isShared(module: string): boolean {
  return !/uplot|\/parts\/chart/.test(module);
}
