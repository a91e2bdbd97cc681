package simulator_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain holds that a simulator whose Run has returned leaves no goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
