package ledger_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/rollcall-hq/rollcall/services/internal/ledger"
	"github.com/rollcall-hq/rollcall/services/internal/ledger/ledgertest"
)

// Whoever writes again and again, as a bulk does chunk by chunk, lets everybody go first who has come meanwhile, in the order
// in which they came.
func TestWriterThatComesAgainGoesToTheEndOfTheQueue(t *testing.T) {
	t.Parallel()
	address := ledgertest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		l, err := ledger.Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		write := func(name string, until <-chan struct{}) {
			if err := l.Update(t.Context(), func(*ledger.Tx) error {
				order = append(order, name)
				if until != nil {
					<-until
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
		first := make(chan struct{})
		go func() {
			write("chunk 1", first)
			write("chunk 2", nil)
		}()
		synctest.Wait()
		for i := range 3 {
			go write(fmt.Sprint("single ", i+1), nil)
			synctest.Wait()
		}
		close(first)
		synctest.Wait()
		want := []string{"chunk 1", "single 1", "single 2", "single 3", "chunk 2"}
		if !slices.Equal(order, want) {
			t.Errorf("wrote %v, want %v", order, want)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}
