/** Of every answer. */
export const commonHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** Data is never a document: should a browser show it as one, nothing in it may run. */
export const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

/** Files of the dashboard, and the API's page: their own style files, nothing from elsewhere and nothing inline. */
export const filePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The dashboard: its own scripts and styles, data from here; styles that its scripts write carry the nonce of this answer. */
export function pagePolicy(nonce: string): string {
  return `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}
