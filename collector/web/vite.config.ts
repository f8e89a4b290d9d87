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
  },
  server: { proxy: { '/api': 'http://127.0.0.1:4777' } },
});
