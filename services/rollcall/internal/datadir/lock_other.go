//go:build !unix

package datadir

import (
	"errors"
	"os"
)

// acquire refuses where there is no lock that ends with its process: two processes on one folder would harm it.
func acquire(*os.File) error {
	return errors.New("this system has no file locks that rollcall knows how to take")
}
