package telemetry_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/services/internal/telemetry"
)

func TestNothingSecretIsWritten(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		log, err := telemetry.NewLogger(&out, "info", format)
		if err != nil {
			t.Fatal(err)
		}
		log.With("client_secret", "hunter2").Info("asked for ada@contoso.com",
			"err", fmt.Errorf("read user: %w", errors.New("Ada.Lovelace+x@contoso.com is unknown")),
			"header", "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln", "accessToken", []byte("raw"),
			"sent", "rc_mzxw6ytboi3dmnrq_"+strings.Repeat("mzxw", 13),
			"tenant", "contoso", "requests", 3)
		log.Debug("not shown")
		text := out.String()
		for _, secret := range []string{"hunter2", "contoso.com", "eyJ", "mzxw", "raw", "not shown"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %q is in %s", format, secret, text)
			}
		}
		for _, plain := range []string{"contoso", "read user", "requests"} {
			if !strings.Contains(text, plain) {
				t.Errorf("%s: %q is missing in %s", format, plain, text)
			}
		}
	}
}

func TestUnknownLevelsAndFormatsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{{"loud", "json"}, {"info", "xml"}} {
		if _, err := telemetry.NewLogger(&bytes.Buffer{}, c[0], c[1]); err == nil {
			t.Errorf("%v was accepted", c)
		}
	}
}

func TestRegistryHasTheRuntimesMetrics(t *testing.T) {
	t.Parallel()
	families, err := telemetry.NewRegistry().Gather()
	if err != nil || len(families) < 20 {
		t.Fatalf("%d families, %v", len(families), err)
	}
}
