package tokens_test

import (
	"testing"

	"github.com/rollcall-hq/rollcall/pkg/bus/bustest"
)

func TestMain(m *testing.M) { bustest.VerifyNoLeaks(m) }
