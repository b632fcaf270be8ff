/** Hours of a month, as in the bill. */
const HOURS = 730;

const MULTIPLES: Record<string, number> = { '1k': 1e3, '10k': 1e4, '1M': 1e6 };

type Kind = 'GB' | 'TB' | 'GB-hour' | 'GB-month' | 'GB-second' | 'hour' | 'month' | 'count';

/** What the price list's unit measures. It is spelled in many ways: Hrs, hours, LCU-Hrs, GB-Mo, GB-Month, Keys. */
function kindOfListUnit(unit: string): Kind {
  const text = unit.toLowerCase();
  if (/^gi?b$|^gigabytes?$/.test(text)) {
    return 'GB';
  }
  if (/^ti?b$|^terabytes?$/.test(text)) {
    return 'TB';
  }
  if (/seconds?$/.test(text)) {
    return 'GB-second';
  }
  const data = /^gi?b-/.test(text);
  if (/(^|-)(hrs?|hours?)$/.test(text)) {
    return data ? 'GB-hour' : 'hour';
  }
  if (/(^|-)(mo|months?)$/.test(text)) {
    return data ? 'GB-month' : 'month';
  }
  return 'count';
}

/**
 * Which units of the price list a unit of the price book can be priced from, and how many of the one make one of the
 * other.
 */
function factors(unit: string): Partial<Record<Kind, number>> {
  const [first, ...rest] = unit.split(' ');
  const multiple = MULTIPLES[first];
  const name = multiple === undefined ? unit : rest.join(' ');
  switch (name) {
    case 'GB':
      return { GB: 1 };
    case 'TB':
      return { TB: 1, GB: 1024 };
    case 'GB-month':
      return { 'GB-month': 1 };
    case 'GB-hour':
      // Fargate's memory is listed in hours.
      return { 'GB-hour': 1, hour: 1 };
    case 'GB-second':
      return { 'GB-second': 1 };
  }
  const count = multiple ?? 1;
  if (name.endsWith('-month')) {
    return { month: count, hour: HOURS * count, count };
  }
  if (name.endsWith('hour')) {
    return { hour: count };
  }
  return { count };
}

/** How many of the price list's unit make one of the price book's; undefined when the two measure different things. */
export function unitFactor(bookUnit: string, listUnit: string): number | undefined {
  return factors(bookUnit)[kindOfListUnit(listUnit)];
}
