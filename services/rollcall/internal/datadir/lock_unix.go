//go:build unix

package datadir

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// acquire takes the lock that the kernel gives back when the process ends.
func acquire(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrInUse
	}
	if err != nil {
		return fmt.Errorf("lock it: %w", err)
	}
	return nil
}
