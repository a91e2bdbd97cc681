package worker

// DieAt has the worker ask at each step whether it dies there: what die returns fails the step.
func (w *Worker) DieAt(die func(step string) error) { w.fault = die }
