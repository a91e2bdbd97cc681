package bus

import (
	"fmt"
	"hash/fnv"

	"github.com/rollcall-hq/rollcall/pkg/directory"
)

// maxPartitions keeps durable names at two digits and consumers far below the server's default limit of 1,000 a stream.
const maxPartitions = 100

// Partitions returns how many partitions the tenants are spread over.
func (b *Bus) Partitions() int { return b.cfg.Partitions }

// Partition returns the partition, 0 to Partitions()-1, that the server puts a tenant's messages in: FNV-1a of its id,
// 32 bits, modulo the count (nats-server, subject mapping function partition).
func (b *Bus) Partition(tenant string) int {
	h := fnv.New32a()
	h.Write([]byte(tenant))
	return int(h.Sum32() % uint32(b.cfg.Partitions)) //nolint:gosec // New keeps the count within 1 to maxPartitions
}

// DurableName names the consumer of one partition in one role, e.g. "worker-p07".
func DurableName(role string, partition int) string { return fmt.Sprintf("%s-p%02d", role, partition) }

// DirectoryFilter matches what was observed in the tenants of a partition, as LEDGER_IN stores it.
func DirectoryFilter(partition int) string { return fmt.Sprintf("directory.%d.>", partition) }

// CommandFilter matches the commands of a verb to the tenants of a partition, as LEDGER_IN stores them. An empty verb
// matches all.
func CommandFilter(partition int, verb string) string {
	if verb == "" {
		verb = "*"
	}
	return fmt.Sprintf("command.%d.*.%s", partition, verb)
}

// NotificationFilter matches a provider's notifications for the tenants of a partition, as NOTIFICATIONS stores them.
func NotificationFilter(partition int, provider directory.Provider) string {
	return fmt.Sprintf("notification.%d.%s.*", partition, provider)
}
