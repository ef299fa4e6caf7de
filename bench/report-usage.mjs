// Preloaded into a measured process: answers every message with what the process has used so far.
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicroseconds: user + system, peakResidentBytes: process.resourceUsage().maxRSS * 1024 });
});
// The channel alone must not keep the process alive.
process.channel?.unref();
