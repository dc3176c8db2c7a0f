let latestBytes = 0;

/** Resident memory of the process, in bytes; the latest known where the system does not say, as it takes a descriptor to ask. */
export function residentBytes(): number {
  try {
    latestBytes = process.memoryUsage.rss();
  } catch {
    // no descriptor is free: what it was a moment ago is close enough
  }
  return latestBytes;
}
