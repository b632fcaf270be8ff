import { usageError } from '../errors';

/** A span of billing months, both ends included; YYYY-MM. */
export interface Months {
  readonly from?: string;
  readonly to?: string;
}

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

/** 2026-10, or 2026-07..2026-10. */
export function parseMonths(text: string): Months {
  const parts = text.split('..');
  if (parts.length > 2 || !parts.every((part) => MONTH.test(part)) || parts[0] > parts[parts.length - 1]) {
    throw usageError(
      `--month ${text}`,
      'It is no month and no span of months.',
      'Pass for example --month 2026-10, or --month 2026-07..2026-10.',
    );
  }
  return { from: parts[0], to: parts[parts.length - 1] };
}

/** Whether a month is in the span. */
export function within(month: string, { from, to }: Months): boolean {
  return (from === undefined || month >= from) && (to === undefined || month <= to);
}

/** The month so many months later, or earlier. */
export function addMonths(month: string, count: number): string {
  const [year, number] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 + count, 1)).toISOString().slice(0, 7);
}

/** In words. */
export function spanText({ from, to }: Months): string {
  return from === to ? `${from}` : `${from} to ${to}`;
}
