import * as z from 'zod/mini';

export const logSettings = z.strictObject({ type: z.literal('log') });
