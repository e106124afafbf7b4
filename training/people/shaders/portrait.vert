in vec3 position; in vec3 normal; in vec3 rest; in vec3 tangent; in vec2 uv;
uniform mat4 camera; uniform mat4 sun; uniform float lift;
out vec3 P; out vec3 N; out vec3 R; out vec3 T; out vec2 U; out vec4 L;
void main() {
    P = position + lift * normal; N = normal; R = rest; T = tangent; U = vec2(uv.x, 1. - uv.y);
    L = sun * vec4(P, 1); gl_Position = camera * vec4(P, 1);
}
