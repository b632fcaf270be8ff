/** Numbers for people. */

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** 1.2 GiB; negative for a decrease. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [Math.abs(bytes), 0];
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const text = unit === 0 || value >= 100 ? Math.round(value).toString() : value.toFixed(1);
  return `${bytes < 0 ? '-' : ''}${text} ${units[unit]}`;
}

/** 3 min, 5 h, 2 days. */
export function ageText(seconds: number): string {
  if (seconds < 90) {
    return `${Math.max(Math.round(seconds), 0)} s`;
  }
  if (seconds < 90 * MINUTE) {
    return `${Math.round(seconds / MINUTE)} min`;
  }
  return seconds < 48 * HOUR ? `${Math.round(seconds / HOUR)} h` : `${Math.round(seconds / DAY)} days`;
}

/** +12 %. */
export function percentText(part: number): string {
  return `${part >= 0 ? '+' : ''}${Math.round(part * 100)} %`;
}

/** Three digits, thousands separated. */
export function numberText(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

/** A trigger's value against its threshold, and what belongs beside it; without a threshold it is a decision. */
export function readingText(gauge: {
  readonly unit: string;
  readonly threshold?: number;
  readonly value?: number;
  readonly beside?: string;
}): string {
  const { unit, threshold, value, beside } = gauge;
  const parts =
    threshold === undefined
      ? [...(value === undefined ? [] : [`${numberText(value)} ${unit}`]), ...(beside ? [beside] : []), 'a decision']
      : [
          `${value === undefined ? 'not measured,' : numberText(value)} of ${numberText(threshold)} ${unit}`,
          ...(beside ? [beside] : []),
        ];
  return parts.join(', ');
}
