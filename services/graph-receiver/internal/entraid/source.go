package entraid

import (
	"bytes"
	"fmt"
	"os"

	"github.com/rollcall-hq/rollcall/services/internal/receiver/remote"
	"github.com/rollcall-hq/rollcall/services/internal/tenant"
)

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
	value, err := remote.SecretEnv(name, lookup)
	return material{data: []byte(value)}, err
}

// fromFile reads a file; white space around a secret is what editors leave behind.
func fromFile(what, path string) (material, error) {
	data, err := remote.SecretFile(what, path)
	if data = bytes.TrimSpace(data); err == nil && len(data) == 0 {
		err = fmt.Errorf("read the %s: %s is empty", what, path)
	}
	return material{data: data}, err
}

func certificate(c tenant.Credential, lookup func(string) (string, bool)) (material, error) {
	data, err := remote.SecretFile("certificate", c.File)
	m := material{data: data}
	if err == nil && c.Env != "" {
		var password material
		password, err = fromEnv(c.Env, lookup)
		m.password = password.data
	}
	return m, err
}
