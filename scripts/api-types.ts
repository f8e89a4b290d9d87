/** The API's document as TypeScript: its named records, and what each route takes and answers. For the dashboard. */
export function apiTypes(documentText: string): string {
  const { paths, components } = JSON.parse(documentText) as ApiDocument;
  const records = Object.entries(components.schemas).map(
    ([name, schema]) => `export type ${name} = ${typeOf(schema)};`,
  );
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(
      ([method, operation]) =>
        `  '${method.toUpperCase()} ${path.replace('/api/v1', '')}': ${routeType(operation).replaceAll('\n', '\n  ')};`,
    ),
  );
  return [
    '/* Written by `npm run openapi` from the schemas of the API. */\n',
    records.join('\n\n'),
    `\nexport interface Routes {\n${routes.join('\n')}\n}\n`,
    leastRoles(paths),
  ].join('\n');
}

/** What takes more than the role of a viewer. */
function leastRoles(paths: ApiDocument['paths']): string {
  const lines = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { 'x-role': role }]) =>
      role === undefined || role === 'viewer'
        ? []
        : [`  '${method.toUpperCase()} ${path.replace('/api/v1', '')}': '${role}',`],
    ),
  );
  return `/** Routes that are not listed take no more than a viewer. */\nexport const leastRoles: { readonly [R in keyof Routes]?: 'operator' | 'admin' } = {\n${lines.join('\n')}\n};\n`;
}

interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema?: Schema }[];
  readonly requestBody?: Body;
  readonly responses: Readonly<Record<string, Body>>;
  readonly 'x-role'?: string;
}

interface Body {
  readonly required?: boolean;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | number | boolean)[];
  readonly const?: string | number | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

function routeType({ parameters = [], requestBody, responses }: Operation): string {
  const group = (place: string) =>
    parameters
      .filter((parameter) => parameter.in === place)
      .map(
        ({ name, required, schema }) =>
          `${name}${required === true ? '' : '?'}: ${typeOf(schema ?? {})}${required === true ? '' : ' | undefined'}`,
      );
  const answer = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1];
  const body = jsonOf(requestBody);
  const parts = [
    ...wrapped('path', group('path')),
    ...wrapped('query', group('query')),
    ...(body === undefined ? [] : [`body${requestBody?.required === true ? '' : '?'}: ${typeOf(body)}`]),
    `answer: ${answer === undefined || jsonOf(answer) === undefined ? 'undefined' : typeOf(jsonOf(answer) ?? {})}`,
  ];
  return `{ ${parts.join('; ')} }`;
}

function wrapped(name: string, fields: readonly string[]): string[] {
  const isOptional = fields.every((field) => field.includes('?: '));
  return fields.length === 0 ? [] : [`${name}${isOptional ? '?' : ''}: { ${fields.join('; ')} }`];
}

function jsonOf(body: Body | undefined): Schema | undefined {
  return body?.content?.['application/json']?.schema;
}

/** @throws on a kind of schema that it does not know. */
function typeOf(schema: Schema): string {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? 'unknown';
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ');
  if (schema.const !== undefined) return literal(schema.const);
  if (alternatives !== undefined) return [...new Set(alternatives.map(typeOf))].join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => typeOf({ ...schema, type })).join(' | ');
  switch (schema.type) {
    case undefined:
      return 'unknown';
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'number':
    case 'integer':
      return 'number';
    case 'array':
      return `readonly (${typeOf(schema.items ?? {})})[]`;
    case 'object':
      return objectType(schema);
    default:
      throw new Error(`no type for ${JSON.stringify(schema)}`);
  }
}

function objectType({ properties, required = [], additionalProperties }: Schema): string {
  if (properties === undefined)
    return `Readonly<Record<string, ${typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown'}>>`;
  const fields = Object.entries(properties).map(
    ([name, schema]) =>
      `\n  readonly ${name}${required.includes(name) ? '' : '?'}: ${typeOf(schema).replaceAll('\n', '\n  ')};`,
  );
  return `{${fields.join('')}\n}`;
}

function literal(value: string | number | boolean): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
