package store

import (
	"crypto/rand"
	"fmt"
)

// NewID returns a random GUID, as Entra gives to objects.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it does not fail
	return GUID(b)
}

// GUID writes 16 bytes as a version 4 GUID.
func GUID(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
