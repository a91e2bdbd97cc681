package house

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Metric is the sum of what the process at a base URL says of one of its metrics, with these labels as they are written,
// e.g. role="worker"; "" takes all.
func Metric(ctx context.Context, base, name, labels string) (float64, error) {
	res, err := get(ctx, impatient(), base+"/metrics")
	if err != nil {
		return 0, fmt.Errorf("read the metrics: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	sum := 0.0
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		rest, found := strings.CutPrefix(lines.Text(), name)
		if !found || !strings.ContainsAny(rest[:min(1, len(rest))], "{ ") || !strings.Contains(rest, labels) {
			continue
		}
		n, err := strconv.ParseFloat(rest[strings.LastIndex(rest, " ")+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("read the metric %s: %w", name, err)
		}
		sum += n
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("read the metrics: %w", err)
	}
	return sum, nil
}
