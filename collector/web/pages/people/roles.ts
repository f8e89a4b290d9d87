import type { Person } from '../../data/api-types.ts';

export type Role = Person['role'];
export const roles: readonly Role[] = ['viewer', 'operator', 'admin'];
