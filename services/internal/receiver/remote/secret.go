package remote

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxFile bounds what is read as a secret.
const maxFile = 1 << 20

// SecretFile reads the file of a secret, at most 1 MiB. Errors name the path and what it is of, never what it holds.
func SecretFile(what, path string) ([]byte, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the %s %s: %w", what, path, err)
	}
	return data, nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, pathless(err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return nil, pathless(err)
	case len(data) > maxFile:
		return nil, fmt.Errorf("larger than %d bytes", maxFile)
	}
	return data, nil
}

// pathless drops the path, which the caller names itself.
func pathless(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

// SecretEnv reads a secret from the environment, without the white space around it. The error names the variable.
func SecretEnv(name string, lookup func(string) (string, bool)) (string, error) {
	value, _ := lookup(name)
	if value = strings.TrimSpace(value); value == "" {
		return "", fmt.Errorf("the environment variable %s is not set or empty", name)
	}
	return value, nil
}
