package ledgertest

import (
	"os"
	"syscall"
)

// memory is where a folder in memory can be made, or "": containers often have too little of it.
func memory() string {
	const shm, enough = "/dev/shm", 1 << 30
	var free syscall.Statfs_t
	if err := syscall.Statfs(shm, &free); err != nil || free.Bavail*uint64(free.Bsize) < enough || syscall.Access(shm, 2) != nil {
		return os.TempDir()
	}
	return shm
}
