// Package callcentre decides about the agent at the phone.
package callcentre
