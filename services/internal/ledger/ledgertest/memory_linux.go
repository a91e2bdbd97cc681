package ledgertest

import (
	"os"
	"syscall"
)

// memory is the folder of temporary files, in memory where there is room: containers often have too little.
func memory() string {
	const shm, enough = "/dev/shm", 1 << 30
	var free syscall.Statfs_t
	if err := syscall.Statfs(shm, &free); err != nil || free.Bavail*uint64(free.Bsize) < enough || syscall.Access(shm, 2) != nil {
		return os.TempDir()
	}
	return shm
}
