"""The scenarios, in the order in which they run. Each is a function (lab, hosts, options) -> [result of each case]."""

from scenarios import broken, faults, hosts_lost, partition, steps, volume

SCENARIOS = {
    'no-fault': faults.no_fault,
    'kill-host': hosts_lost.kill_host,
    'overlap': faults.overlap,
    'by-hand': faults.by_hand,
    'clean-restart': faults.clean_restart,
    'zombie': partition.zombie,
    'clock-jump': faults.clock_jump,
    'keeper-killed': steps.keeper_killed,
    'flipped-bytes': broken.flipped_bytes,
    'truncated-wal': broken.truncated_wal,
    'server-restart': volume.server_restart,
    'full-volume': volume.full_volume,
    'slow-server': volume.slow_server,
    'large-database': volume.large_database,
    'many-kills': hosts_lost.many_kills,
}
