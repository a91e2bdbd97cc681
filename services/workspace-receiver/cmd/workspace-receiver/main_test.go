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
	if _, ready := receiver.Do(http.MethodGet, "/readyz"); !strings.Contains(ready, `"workspace-receiver":"ok"`) {
		t.Errorf("nothing says that it follows the tenants: %s", ready)
	}
	if status, _ := receiver.Do(http.MethodPost, "/google/notifications"); status != http.StatusBadRequest {
		t.Errorf("what is not from Google is answered with %d", status)
	}
	if _, metrics := receiver.Do(http.MethodGet, "/metrics"); !strings.Contains(metrics, `rollcall_intake_requests_total{code="400",provider="google-workspace"} 1`) {
		t.Errorf("not in the metrics: the request\n%s", metrics)
	}
}
