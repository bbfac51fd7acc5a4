//go:build !unix

package journal

// lock does nothing: only phonesim runs here.
func lock(string) (unlock func() error, err error) { return func() error { return nil }, nil }
