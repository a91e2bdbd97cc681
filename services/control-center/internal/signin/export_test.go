package signin

// Local is local, for tests.
var Local = local
