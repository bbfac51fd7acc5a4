//go:build !unix

package store

import "os"

// lockExclusively does nothing: only phonesim runs here, for one person.
func lockExclusively(*os.File) error { return nil }
