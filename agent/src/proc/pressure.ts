/** Share of the last ten seconds in percent in which some, or all, tasks stood still for want of a resource (psi.rst). */
export interface Pressure {
  readonly someAvg10: number;
  /** Null where the kernel does not say it: `cpu` before 5.13. */
  readonly fullAvg10: number | null;
}

/** Null without PSI: kernels before 4.20, CONFIG_PSI unset, or `psi=0` (the file is there and reading it fails). */
export function parsePressure(text: string): Pressure | null {
  const some = /^some avg10=(\d+\.\d+) /m.exec(text);
  if (some === null) return null;
  const full = /^full avg10=(\d+\.\d+) /m.exec(text);
  return { someAvg10: Number(some[1]), fullAvg10: full === null ? null : Number(full[1]) };
}
