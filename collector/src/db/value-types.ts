import type { Sql } from 'postgres';

/*
 * How values cross the wire, by type number (pg_type.dat of PostgreSQL). Instants and JSON stay text: the table definitions
 * turn them into dates and values. 64-bit integers become numbers: ours stay below 2^53.
 */
const instantTypes = [1082, 1083, 1114, 1115, 1182, 1184, 1185, 1231];
const jsonTypes = [114, 3802];
const bigintType = 20;
const arrayTypes = { jsonb: 3807, int4: 1007, text: 1009, int8: 1016, float4: 1021, float8: 1022, timestamptz: 1185 };

/** Sets the parsers and serializers that are not the library's own; with the arrays here no connection asks for the list of types first. */
export function setValueTypes(client: Sql): void {
  const { parsers, serializers } = client.options;
  for (const type of instantTypes) {
    parsers[type] = unchanged;
    serializers[type] = unchanged;
  }
  for (const type of jsonTypes) serializers[type] = unchanged;
  for (const type of Object.values(arrayTypes)) serializers[type] = arrayText;
  parsers[bigintType] = Number;
}

/** `{"a","b",NULL}` (PostgreSQL manual, section "Array Input and Output Syntax"). */
export function arrayText(values: unknown): string {
  if (!Array.isArray(values)) return String(values);
  const items = values.map((value: unknown) =>
    value === null || value === undefined ? 'NULL' : `"${String(value).replace(/[\\"]/g, '\\$&')}"`,
  );
  return `{${items.join(',')}}`;
}

function unchanged<T>(value: T): T {
  return value;
}
