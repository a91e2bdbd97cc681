// Package compose holds no code. Its test starts what docker-compose.yml names, with the commands, the environment and the
// health checks that stand there, as processes of this machine in place of containers: it shows that the file, the image's
// entry point and the NATS configuration fit the programs, and says nothing about the images themselves.
package compose
