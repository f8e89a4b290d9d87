declare const RUNNERWATCH_VERSION: string | undefined;

/** The product's version; `0.0.0-source` when run from source rather than from a build. */
export const version: string = typeof RUNNERWATCH_VERSION === 'string' ? RUNNERWATCH_VERSION : '0.0.0-source';
