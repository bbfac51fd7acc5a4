package console

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"time"
)

// responseMax bounds an answer; a transcript is below 200 kB.
const responseMax = 1 << 20

// Ask sends one request to the phone behind the socket and returns its answer. The error says that there is no phone.
func Ask(path string, request Request) (Response, error) {
	conn, err := net.DialTimeout("unix", path, answerMax)
	if err != nil {
		return Response{}, fmt.Errorf("console: no phone listens on %s; is it running, and is this its -socket? (%w)", path, err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * answerMax))
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return Response{}, fmt.Errorf("console: ask the phone on %s: %w", path, err)
	}
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, responseMax)
	if !lines.Scan() {
		return Response{}, fmt.Errorf("console: the phone on %s hung up without an answer (%v)", path, lines.Err())
	}
	var response Response
	if err := json.Unmarshal(lines.Bytes(), &response); err != nil {
		return Response{}, fmt.Errorf("console: read the answer of the phone on %s: %w", path, err)
	}
	return response, nil
}
