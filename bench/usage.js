// Preloaded into every node process of a measured command: notes its peak memory and processor time when it ends.
const fs = require('fs');
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  fs.appendFileSync(process.env.BENCH_USAGE, `${maxRSS} ${userCPUTime + systemCPUTime}\n`);
});
