package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
	"github.com/rollcall-hq/rollcall/services/internal/process/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, main) }

func TestRunsAlone(t *testing.T) {
	t.Parallel()
	receiver := processtest.Start(t, "ROLLCALL_NATS_URL="+bustest.StartServer(t).URL(), "ROLLCALL_NATS_PARTITIONS=4", "ROLLCALL_SYNC_PUSH=false")
	if _, ready := receiver.Do(http.MethodGet, "/readyz"); !strings.Contains(ready, `"graph-receiver":"ok"`) {
		t.Errorf("nothing says that it follows the tenants: %s", ready)
	}
	if status, body := receiver.Do(http.MethodPost, "/graph/notifications?validationToken=it+is+you"); status != http.StatusOK || body != "it is you" {
		t.Errorf("the proof of address is answered with %d, %q", status, body)
	}
	if _, metrics := receiver.Do(http.MethodGet, "/metrics"); !strings.Contains(metrics, `rollcall_intake_handshakes_total{provider="entra"} 1`) {
		t.Errorf("not in the metrics: the proof of address\n%s", metrics)
	}
}
