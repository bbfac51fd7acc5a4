package main
import ("fmt";"crypto/rand";"golang.org/x/crypto/bcrypt")
func main(){ h,_:=bcrypt.GenerateFromPassword([]byte(rand.Text()),10); fmt.Println(string(h)) }
