import { customType, timestamp } from 'drizzle-orm/pg-core';

/** An instant; epoch milliseconds and zones never reach a table. */
export const instantColumn = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });

/** 64-bit counts that stay below 2^53 here (bytes, milliseconds, sequence numbers). */
export const countColumn = customType<{ data: number; driverData: string | number }>({
  dataType: () => 'bigint',
  fromDriver: (value) => Number(value),
});
