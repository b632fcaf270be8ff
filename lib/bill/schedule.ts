import { HOURS } from './usage-keys';

const MINUTES_PER_MONTH = HOURS * 60;
const DAYS_PER_MONTH = HOURS / 24;
const MINUTES: { [unit: string]: number } = { minute: 1, hour: 60, day: 1440 };

/** How often a schedule runs in an average month. Undefined when the expression is none of EventBridge's. */
export function runsPerMonth(expression: string): number | undefined {
  const [, kind, inner] = /^(rate|cron|at)\((.+)\)$/.exec(expression.trim()) ?? [];
  switch (kind) {
    case 'rate': {
      const [, number, unit] = /^(\d+) (minute|hour|day)s?$/.exec(inner) ?? [];
      return number === undefined || Number(number) === 0
        ? undefined
        : MINUTES_PER_MONTH / (Number(number) * MINUTES[unit]);
    }
    case 'cron':
      return cronRuns(inner.trim().split(/\s+/));
    case 'at':
      return 1;
    default:
      return undefined;
  }
}

function cronRuns(fields: string[]): number | undefined {
  if (fields.length !== 6) {
    return undefined;
  }
  const [minutes, hours, day, month, weekday] = fields;
  const counts = [
    valuesOf(minutes, 0, 59),
    valuesOf(hours, 0, 23),
    valuesOf(month, 1, 12, 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'),
    valuesOf(day, 1, 31),
    valuesOf(weekday, 1, 7, 'SUN MON TUE WED THU FRI SAT'),
  ];
  if (counts.includes(undefined)) {
    return undefined;
  }
  const [perHour, perDay, months, days, weekdays] = counts as number[];
  const everyDay = (field: string) => field === '*' || field === '?';
  const daysPerMonth = !everyDay(day) ? days : everyDay(weekday) ? DAYS_PER_MONTH : (DAYS_PER_MONTH * weekdays) / 7;
  // "2#1", "6L": one weekday of the month.
  const runsOn = /[#L]/.test(weekday) ? 1 : daysPerMonth;
  return (perHour * perDay * runsOn * months) / 12;
}

/** How many values a field of a cron expression lets through. */
function valuesOf(field: string, min: number, max: number, names = ''): number | undefined {
  const numberOf = (text: string) =>
    names.split(' ').includes(text) ? min + names.split(' ').indexOf(text) : Number(text);
  const found = new Set<number>();
  for (const part of field.split(',')) {
    if (/^(L|LW|\d+W|\w+#\d|\w+L)$/.test(part)) {
      return 1;
    }
    const [range, step = '1'] = part.split('/');
    const [from, to] = /^[*?]$/.test(range) ? [min, max] : range.split('-').map(numberOf);
    const end = to ?? (part.includes('/') ? max : from);
    if (![from, end, Number(step)].every(Number.isInteger) || from < min || end > max || Number(step) < 1) {
      return undefined;
    }
    // A range of weekdays may run over the end of the week.
    for (let value = from; value <= (end < from ? end + (max - min + 1) : end); value += Number(step)) {
      found.add(value > max ? value - (max - min + 1) : value);
    }
  }
  return found.size;
}
