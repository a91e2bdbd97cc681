//go:build !linux

package ledger

import "syscall"

// limitSilence does nothing: probes of an idle connection, which every system has, must do.
func limitSilence(syscall.RawConn) error { return nil }
