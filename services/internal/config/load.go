package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sethvargo/go-envconfig"
	"gopkg.in/yaml.v3"
)

// Load reads the YAML file, where one is named, and then the environment over it. It returns every fault of both, and of
// the configuration as a whole, at once.
func Load(file string, getenv func(string) string) (Config, error) {
	c := Default()
	var faults []error
	if file != "" {
		body, err := os.ReadFile(file)
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		if err := c.ReadYAML(body); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", file, err))
		}
	}
	faults = append(faults, c.readEnvironment(getenv)...)
	faults = append(faults, c.faults()...)
	return c, errors.Join(faults...)
}

// ReadYAML sets what the document names and leaves the rest. A name that does not exist is a fault.
func (c *Config) ReadYAML(body []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(body))
	decoder.KnownFields(true)
	if err := decoder.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read YAML: %w", err)
	}
	return nil
}

// readEnvironment sets one variable after the other, so that one that cannot be read does not hide the next.
func (c *Config) readEnvironment(getenv func(string) string) []error {
	var faults []error
	for _, s := range Settings() {
		value := getenv(s.Env)
		if value == "" {
			continue
		}
		err := envconfig.ProcessWith(context.Background(), &envconfig.Config{
			Target: c, Lookuper: envconfig.MapLookuper(map[string]string{s.Env: value}), DefaultOverwrite: true,
		})
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", s.Env, err))
		}
	}
	return faults
}
