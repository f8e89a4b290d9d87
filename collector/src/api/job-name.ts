import { cleanName } from '../pings/words.ts';
import { type JobName, parseJobId } from '../tasks/jobs.ts';
import { badRequest } from './errors.ts';

/** A job that need not be known yet: its id, `project/name`, or a name without project. @throws ApiError bad_request */
export function jobNamed(field: string, text: string): JobName {
  const known = parseJobId(text);
  if (known !== undefined) return known;
  const slash = text.indexOf('/');
  const name = cleanName(text.slice(slash + 1));
  const project = slash < 0 ? null : cleanName(text.slice(0, slash));
  if (name === null || (slash >= 0 && project === null))
    throw badRequest(field, 'expected a name, or project/name encoded');
  return { project, name };
}
