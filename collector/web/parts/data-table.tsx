import { VisuallyHidden } from '@mantine/core';
import { Link, type LinkProps } from '@tanstack/react-router';
import type { KeyboardEvent, ReactNode } from 'react';
import classes from './data-table.module.css';
import { Icon } from './icon.tsx';
import { type HasMore, More } from './more.tsx';

export interface Column<Row, Sort extends string = never> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers and times stand at the right. */
  readonly isNumber?: boolean;
  /** Left out where the table is narrower than this many pixels. */
  readonly from?: 560 | 820 | 1080;
  /** Takes what is left of the width, and cuts its text. */
  readonly isWide?: boolean;
  /** The API's name of the order that its heading asks for. */
  readonly sort?: Sort;
}

export interface DataTableProps<Row, Sort extends string> {
  /** What the rows are, for those who cannot see them. */
  readonly label: string;
  readonly columns: readonly Column<Row, Sort>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Where a row leads, if anywhere; its first cell is the link. */
  readonly rowLink?: (row: Row) => LinkProps | undefined;
  readonly sorted?:
    | { readonly by: Sort; readonly isDescending: boolean; readonly onSort: (by: Sort) => void }
    | undefined;
  /** The next page. */
  readonly more?: HasMore | undefined;
}

/** Rows of one kind. Arrow keys move between rows that lead somewhere. */
export function DataTable<Row, Sort extends string = never>(props: DataTableProps<Row, Sort>): ReactNode {
  const { label, columns, rows, rowKey, rowLink, sorted, more } = props;
  return (
    <div className={classes.frame}>
      <table className={classes.table} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} className={cellClass(column)} aria-sort={ariaSort(column, sorted)} scope="col">
                <Heading column={column} sorted={sorted} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={moveBetweenRows}>
          {rows.map((row) => {
            const link = rowLink?.(row);
            return (
              <tr key={rowKey(row)}>
                {columns.map((column, index) => (
                  <td key={column.title} className={cellClass(column)}>
                    {index === 0 && link !== undefined ? (
                      <Link {...link} className={classes.link}>
                        {column.cell(row)}
                      </Link>
                    ) : (
                      column.cell(row)
                    )}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      <More more={more}>Show more</More>
    </div>
  );
}

function Heading<Row, Sort extends string>({
  column,
  sorted,
}: { column: Column<Row, Sort> } & Pick<DataTableProps<Row, Sort>, 'sorted'>): ReactNode {
  const { sort, title } = column;
  if (title === '') return <VisuallyHidden>Actions</VisuallyHidden>;
  if (sort === undefined || sorted === undefined) return title;
  return (
    <button type="button" className={classes.sort} onClick={() => sorted.onSort(sort)}>
      {title}
      <Icon name={sorted.by !== sort ? 'sort' : sorted.isDescending ? 'falling' : 'rising'} size={13} />
    </button>
  );
}

function ariaSort<Row, Sort extends string>({ sort }: Column<Row, Sort>, sorted: DataTableProps<Row, Sort>['sorted']) {
  if (sort === undefined || sorted === undefined || sorted.by !== sort) return undefined;
  return sorted.isDescending ? 'descending' : 'ascending';
}

function cellClass<Row, Sort extends string>({ isNumber, isWide, from }: Column<Row, Sort>): string {
  return [isNumber && classes.number, isWide && classes.wide, from !== undefined && classes[`from${from}`]]
    .filter(Boolean)
    .join(' ');
}

function moveBetweenRows(event: KeyboardEvent<HTMLTableSectionElement>): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>(`.${classes.link}`)];
  const at = links.findIndex((link) => link === document.activeElement);
  const next = links[at + (event.key === 'ArrowDown' ? 1 : -1)];
  if (at < 0 || next === undefined) return;
  event.preventDefault();
  next.focus();
}
