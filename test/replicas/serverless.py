"""What ElastiCache Serverless for Valkey takes: Amazon ElastiCache User Guide, "Supported and restricted Valkey, Memcached,
and Redis OSS commands", read 2026-11-25 (bitmap, geo, JSON, HyperLogLog, stream and Bloom commands left out)."""

SUPPORTED = set(
    """
    AUTH ECHO HELLO PING QUIT RESET SELECT READONLY READWRITE
    COMMAND INFO TIME ROLE DBSIZE FLUSHALL FLUSHDB
    COPY DEL DUMP EXISTS EXPIRE EXPIREAT EXPIRETIME PERSIST PEXPIRE PEXPIREAT PEXPIRETIME PTTL RANDOMKEY RENAME RENAMENX
    RESTORE SCAN SORT SORT_RO TOUCH TTL TYPE UNLINK
    APPEND DECR DECRBY GET GETDEL GETEX GETRANGE GETSET INCR INCRBY INCRBYFLOAT LCS MGET MSET MSETNX PSETEX SET SETEX SETNX
    SETRANGE STRLEN SUBSTR
    HDEL HEXISTS HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET HRANDFIELD HSCAN HSET HSETNX HSTRLEN HVALS
    BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH LINDEX LINSERT LLEN LMOVE LMPOP LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM RPOP
    RPOPLPUSH RPUSH RPUSHX
    SADD SCARD SDIFF SDIFFSTORE SINTER SINTERCARD SINTERSTORE SISMEMBER SMEMBERS SMISMEMBER SMOVE SPOP SRANDMEMBER SREM
    SSCAN SUNION SUNIONSTORE
    ZADD ZCARD ZCOUNT ZINCRBY ZRANGE ZRANGEBYSCORE ZRANK ZREM ZREMRANGEBYRANK ZREMRANGEBYSCORE ZSCAN ZSCORE
    PUBLISH SPUBLISH SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE UNSUBSCRIBE
    EVAL EVAL_RO EVALSHA EVALSHA_RO
    MULTI EXEC DISCARD WATCH UNWATCH
    """.split()
)

# Of those that have words of their own.
SUPPORTED_WORDS = {
    "CLIENT": {"GETNAME", "REPLY", "SETNAME"},
    "CLUSTER": {"COUNTKEYSINSLOT", "GETKEYSINSLOT", "INFO", "KEYSLOT", "MYID", "NODES", "REPLICAS", "SHARDS", "SLOTS", "SLOT-STATS"},
    "PUBSUB": {"CHANNELS", "NUMSUB", "SHARDCHANNELS", "SHARDNUMSUB"},
    "SCRIPT": {"EXISTS", "FLUSH", "LOAD", "SHOW"},
    "ACL": {"CAT", "GENPASS", "GETUSER", "LIST", "USERS", "WHOAMI"},
}

# Restricted, as far as Redis 7.0 knows them: the test's server refuses them too.
REFUSED = """
    acl|setuser acl|load acl|save acl|deluser acl|log bgrewriteaof bgsave
    cluster|addslots cluster|addslotsrange cluster|bumpepoch cluster|delslots cluster|delslotsrange cluster|failover
    cluster|flushslots cluster|forget cluster|links cluster|meet cluster|setslot cluster|count-failure-reports
    config debug migrate psync replicaof save slaveof shutdown sync
    client|caching client|getredir client|id client|info client|kill client|list client|no-evict client|pause
    client|tracking client|trackinginfo client|unblock client|unpause
    fcall fcall_ro function keys lastsave latency memory monitor move object pfdebug pfselftest psubscribe pubsub|numpat
    punsubscribe script|kill slowlog swapdb wait
""".split()


def taken(words: list[str]) -> bool:
    name = words[0].upper()
    if name in SUPPORTED_WORDS:
        return len(words) > 1 and words[1].upper() in SUPPORTED_WORDS[name]
    return name in SUPPORTED
