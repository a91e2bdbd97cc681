package entraid

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

// maxFile bounds what is read as a secret or a certificate.
const maxFile = 1 << 20

// source returns how the credential's secret is read. A certificate's Env names the variable with the password of its
// PFX file, where it has one.
func source(c tenant.Credential, lookup func(string) (string, bool)) (func() (material, error), error) {
	if lookup == nil {
		lookup = os.LookupEnv
	}
	switch c.Kind {
	case tenant.ClientSecret:
		if c.File == "" {
			return func() (material, error) { return fromEnv(c.Env, lookup) }, nil
		}
		return func() (material, error) { return fromFile("client secret", c.File) }, nil
	case tenant.WorkloadIdentity:
		return func() (material, error) { return fromFile("federated token", c.File) }, nil
	case tenant.Certificate:
		return func() (material, error) { return certificate(c, lookup) }, nil
	}
	return nil, fmt.Errorf("unknown kind %q", c.Kind)
}

func fromEnv(name string, lookup func(string) (string, bool)) (material, error) {
	value, _ := lookup(name)
	if value = strings.TrimSpace(value); value == "" {
		return material{}, fmt.Errorf("the environment variable %s is not set or empty", name)
	}
	return material{data: []byte(value)}, nil
}

// fromFile reads a file; white space around a secret is what editors leave behind.
func fromFile(what, path string) (material, error) {
	m, err := readFile(what, path)
	if m.data = bytes.TrimSpace(m.data); err == nil && len(m.data) == 0 {
		err = fmt.Errorf("read the %s: %s is empty", what, path)
	}
	return m, err
}

func certificate(c tenant.Credential, lookup func(string) (string, bool)) (material, error) {
	m, err := readFile("certificate", c.File)
	if err == nil && c.Env != "" {
		var password material
		password, err = fromEnv(c.Env, lookup)
		m.password = password.data
	}
	return m, err
}

func readFile(what, path string) (material, error) {
	data, err := os.ReadFile(path)
	var at *fs.PathError
	switch {
	case errors.As(err, &at):
		return material{}, fmt.Errorf("read the %s %s: %w", what, path, at.Err)
	case err != nil:
		return material{}, fmt.Errorf("read the %s %s: %w", what, path, err)
	case len(data) > maxFile:
		return material{}, fmt.Errorf("read the %s %s: larger than %d bytes", what, path, maxFile)
	}
	return material{data: data}, nil
}
