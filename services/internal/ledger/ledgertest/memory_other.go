//go:build !linux

package ledgertest

import "os"

func memory() string { return os.TempDir() }
