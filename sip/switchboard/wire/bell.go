package wire

import (
	"crypto/sha256"
	"encoding/hex"
)

// SecretHash is how the switchboard keeps a phone's secret: SHA-256 in hexadecimal digits, enough for a secret of chance.
func SecretHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Bell is the presence resource that rings when the state of a phone's agent has changed. Every phone may subscribe to
// every resource of the PBX: only who knows the secret can name this one, and nobody else sees when an agent works.
func Bell(device, secretHash string) string {
	sum := sha256.Sum256([]byte("bell " + secretHash))
	return "cc-phone-" + device + "-" + hex.EncodeToString(sum[:8])
}
