// Package asterisk holds the files that a switchboard needs in the configuration of an Asterisk: dialplan, queues and access.
// Each says at its head where it is included. The tests against a real Asterisk use the same files.
package asterisk

import "embed"

// Files are freizeichen-extensions.conf, freizeichen-queues.conf and freizeichen-manager.conf.
//
//go:embed *.conf
var Files embed.FS
